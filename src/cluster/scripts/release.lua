-- Gives a lease back, unless another has it by now.
-- KEYS[1] lease
-- ARGV[1] 'TOKEN HOLDER' as it was taken
-- Returns 1 when it was held, else 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
