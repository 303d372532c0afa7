-- Removes a revoked session. Removes the whole hash with the last session.
--
-- KEYS[1]  the user's hash; open.lua documents its fields
-- ARGV[1]  session id, 16 bytes
--
-- reply    1 if there was such a session, otherwise 0
local removed = redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('HLEN', KEYS[1]) == 1 then redis.call('DEL', KEYS[1]) end
return removed
