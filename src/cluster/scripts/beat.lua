-- Renews the presence of one peer.
-- KEYS[1] presence of the peer   KEYS[2] set of ids   KEYS[3] revision
-- ARGV[1] id   ARGV[2] what it says of itself (JSON)   ARGV[3] how long that lasts, ms
-- Returns the revision as text, '' when there is none.
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('SADD', KEYS[2], ARGV[1])
return redis.call('GET', KEYS[3]) or ''
