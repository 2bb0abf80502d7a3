-- Takes or renews a lease.
-- KEYS[1] lease   KEYS[2] highest token given out   KEYS[3] channel of changes
-- ARGV[1] holder (id and life)   ARGV[2] how long, ms   ARGV[3] highest token that the holder has seen
-- ARGV[4] name of the lease
-- Returns 1 and the token when the lease is held now, 0 and the token of the holder when another has it.
-- Publishes 'token TOKEN NAME' for each new token. A lease is 'TOKEN HOLDER'.
local held = redis.call('GET', KEYS[1])
local token, holder
if held then token, holder = string.match(held, '^(%d+) (.*)$') end
if held and holder ~= ARGV[1] then return { 0, token } end
local seen = tonumber(ARGV[3])
if held and tonumber(token) >= seen then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return { 1, token }
end
-- Above every token known here or seen by the holder, and not below the time in µs: a failover can forget a token
-- that a peer still holds and the next one has not seen, and two holders of one token could not be told apart.
local time = redis.call('TIME')
local counter = tonumber(redis.call('GET', KEYS[2]) or 0)
local fresh = string.format('%.0f', math.max(counter + 1, seen + 1, time[1] * 1000000 + time[2]))
redis.call('SET', KEYS[2], fresh)
redis.call('SET', KEYS[1], fresh .. ' ' .. ARGV[1], 'PX', ARGV[2])
redis.call('PUBLISH', KEYS[3], 'token ' .. fresh .. ' ' .. ARGV[4])
return { 1, fresh }
