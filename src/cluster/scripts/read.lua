-- Reads the registers of one scope, and forgets what was deleted long ago.
-- KEYS[1] registers of the scope   KEYS[2] revisions
-- ARGV[1] scope   ARGV[2] how long deletions are remembered, ms
-- Returns the revision of the scope ('' when there is none), the server's clock in ms, then key and register of each.
-- A register is 'version:deletedAtMs:value'; deletedAtMs is 0 for one that is there.
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = { redis.call('HGET', KEYS[2], ARGV[1]) or '', string.format('%.0f', nowMs) }
local stored = redis.call('HGETALL', KEYS[1])
for index = 1, #stored, 2 do
  local deletedAtMs = tonumber(string.match(stored[index + 1], '^%d+:(%d+):') or 0)
  if deletedAtMs > 0 and deletedAtMs + tonumber(ARGV[2]) < nowMs then
    redis.call('HDEL', KEYS[1], stored[index])
  else
    reply[#reply + 1] = stored[index]
    reply[#reply + 1] = stored[index + 1]
  end
end
return reply
