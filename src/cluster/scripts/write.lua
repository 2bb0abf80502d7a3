-- Writes a register unless it has a higher version than the writer has seen. A lower one, or none, means that this
-- server has forgotten (restarted empty, or a failover): the writer knows better.
-- KEYS[1] registers of the scope   KEYS[2] revisions   KEYS[3] revision   KEYS[4] channel of changes
-- ARGV[1] scope   ARGV[2] key   ARGV[3] version that the writer has seen   ARGV[4] value, '' to delete
-- ARGV[5] id of the writer
-- Returns 1 and the register written, or 0 and the one that stands, as 'version:deletedAtMs:value'.
-- Publishes 'register REVISION JSON', where JSON is [writer, scope, key, register].
local stored = redis.call('HGET', KEYS[1], ARGV[2])
local seen = tonumber(ARGV[3])
if stored and tonumber(string.match(stored, '^(%d+):')) > seen then return { 0, stored } end
local time = redis.call('TIME')
local deletedAtMs = 0
if ARGV[4] == '' then deletedAtMs = time[1] * 1000 + math.floor(time[2] / 1000) end
local register = string.format('%.0f:%.0f:', seen + 1, deletedAtMs) .. ARGV[4]
-- A revision begins at the time in µs: what was counted before a restart is never counted again.
redis.call('SETNX', KEYS[3], time[1] .. string.format('%06d', time[2]))
local revision = string.format('%.0f', redis.call('INCR', KEYS[3]))
redis.call('HSET', KEYS[2], ARGV[1], revision)
redis.call('HSET', KEYS[1], ARGV[2], register)
local change = cjson.encode({ ARGV[5], ARGV[1], ARGV[2], register })
redis.call('PUBLISH', KEYS[4], 'register ' .. revision .. ' ' .. change)
return { 1, register }
