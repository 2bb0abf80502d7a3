-- Reads the presence of peers, and forgets the ids of those that are gone.
-- KEYS[1] set of ids   KEYS[2..] presence of each
-- ARGV[1..] id of each, in the same order
-- Returns for each that is here: id, what it says of itself (JSON), ms that its presence still lasts.
local found = {}
for index, id in ipairs(ARGV) do
  local said = redis.call('GET', KEYS[index + 1])
  if said then
    found[#found + 1] = id
    found[#found + 1] = said
    found[#found + 1] = redis.call('PTTL', KEYS[index + 1])
  else
    redis.call('SREM', KEYS[1], id)
  end
end
return found
