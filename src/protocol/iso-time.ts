// Instants as the API writes them: ISO 8601, UTC. By arithmetic, since the lower floors have no Date.

const dayMs = 86_400_000;

/**
 * Milliseconds since the Unix epoch, 0 or more, as `2026-01-31T12:00:00.000Z`. Days to a date as in H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
 */
export function isoTime(instantMs: number): string {
  const wallMs = Math.floor(instantMs);
  const days = Math.floor(wallMs / dayMs);
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const inDay = wallMs - days * dayMs;
  const time = [inDay / 3_600_000, (inDay / 60_000) % 60, (inDay / 1000) % 60].map((part) =>
    two(Math.floor(part)),
  );
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  return `${date}T${time.join(':')}.${String(inDay % 1000).padStart(3, '0')}Z`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
