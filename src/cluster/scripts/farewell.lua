-- Ends the presence of one peer, unless another life of it has begun.
-- KEYS[1] presence of the peer   KEYS[2] set of ids   KEYS[3] channel of words
-- ARGV[1] id   ARGV[2] how the JSON of this life begins   ARGV[3] message of farewell
-- Returns 1 when it was still here, else 0.
redis.call('PUBLISH', KEYS[3], ARGV[3])
if string.sub(redis.call('GET', KEYS[1]) or '', 1, #ARGV[2]) ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[1])
return 1
