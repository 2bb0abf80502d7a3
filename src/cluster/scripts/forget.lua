-- Forgets registers of one scope that were deleted long ago.
-- KEYS[1] registers of the scope
-- ARGV[1] how long deletions are remembered, ms
-- Returns the server's clock in ms.
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('HGETALL', KEYS[1])
for index = 1, #stored, 2 do
  local deletedAtMs = tonumber(string.match(stored[index + 1], '^%d+:(%d+):') or 0)
  if deletedAtMs > 0 and deletedAtMs + tonumber(ARGV[1]) < nowMs then redis.call('HDEL', KEYS[1], stored[index]) end
end
return string.format('%.0f', nowMs)
