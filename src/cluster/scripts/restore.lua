-- Reminds the server of registers: each is written if it stands against what is there, which is so when it has the
-- higher version, or the same and a value greater in bytes.
-- KEYS[1] registers of the scope   KEYS[2] revisions   KEYS[3] revision
-- ARGV[1] scope   ARGV[2..] key and register of each, as 'version:deletedAtMs:value'
-- Returns how many were written. Publishes nothing: peers see the revision at their next beat.
local function isGreater(a, b)
  -- Not a > b: that is the order of the server's locale.
  for index = 1, math.min(#a, #b) do
    local difference = string.byte(a, index) - string.byte(b, index)
    if difference ~= 0 then return difference > 0 end
  end
  return #a > #b
end
local function stands(register, stored)
  if not stored then return true end
  local version, value = string.match(register, '^(%d+):%d+:(.*)$')
  local storedVersion, storedValue = string.match(stored, '^(%d+):%d+:(.*)$')
  if tonumber(version) ~= tonumber(storedVersion) then return tonumber(version) > tonumber(storedVersion) end
  return isGreater(value, storedValue)
end
local written = 0
for index = 2, #ARGV, 2 do
  if stands(ARGV[index + 1], redis.call('HGET', KEYS[1], ARGV[index])) then
    redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
    written = written + 1
  end
end
if written > 0 then
  local time = redis.call('TIME')
  redis.call('SETNX', KEYS[3], time[1] .. string.format('%06d', time[2]))
  redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f', redis.call('INCR', KEYS[3])))
end
return written
