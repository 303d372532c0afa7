-- Give a user another authorization, for the next access token of each of his sessions.
--
-- KEYS[1]  the user's hash; open.lua says what it holds
-- ARGV     1 authorization: "<ver> <role> <role> ..."
-- reply    1 where it is in force now, 0 where there is a newer one, or no session
local function version(authorization)
  return tonumber(string.match(authorization, '^%d+'))
end

local known = redis.call('HGET', KEYS[1], 'u')
if not known or version(known) > version(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'u', ARGV[1])
return 1
