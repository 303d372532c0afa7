-- Forget a session that has ended, and the user with the last one.
--
-- KEYS[1]  the user's hash; open.lua says what it holds
-- ARGV     1 session id, 16 bytes
-- reply    1 where there was such a session, else 0
local removed = redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('HLEN', KEYS[1]) == 1 then redis.call('DEL', KEYS[1]) end
return removed
