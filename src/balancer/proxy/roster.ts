// Who is there, where members come and go by the thousand: each knows its place. A Set would do the same, but V8 links each
// table that a Set has outgrown to the next: once one of them is old, whoever was there when it was outgrown lives until a
// full collection, with all that it holds. Without it half as much outlives a young collection (docs/decisions/0032).

/** What can be a member of one roster at a time. */
export interface Member {
  /** Where it stands; the roster's. Absent or below 0: in none. */
  place?: number;
}

export class Roster<M extends Member> {
  readonly #members: M[] = [];

  /** How many there are. */
  get size(): number {
    return this.#members.length;
  }

  /** Adds who is not there yet. */
  add(member: M): void {
    if (member.place !== undefined && member.place >= 0) return;
    member.place = this.#members.length;
    this.#members.push(member);
  }

  /** Removes who is there; the order of the others changes. */
  remove(member: M): void {
    const { place = -1 } = member;
    if (place < 0) return;
    member.place = -1;
    const last = this.#members.pop();
    if (last === undefined || last === member) return;
    last.place = place;
    this.#members[place] = last;
  }

  /** All that are there now: a copy, which stays as it is while they leave. */
  all(): readonly M[] {
    return [...this.#members];
  }
}
