-- Raises a number that only ever rises.
--
-- KEYS[1]  the number
-- ARGV[1]  the new number
--
-- reply    1 if the number was raised, 0 if it was at least as high
local known = tonumber(redis.call('GET', KEYS[1]) or 0)
if known >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
