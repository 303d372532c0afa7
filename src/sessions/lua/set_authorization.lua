-- Sets the authorization of the next access token of each of a user's sessions.
--
-- KEYS[1]  the user's hash; open.lua documents its fields
-- ARGV[1]  authorization: "<ver> <role> <role> ..."
--
-- reply    1 if the authorization is now in force
--          0 if the hash has a newer one, or if there is no hash
local function version(authorization)
  return tonumber(string.match(authorization, '^%d+') or 0)
end

local known = redis.call('HGET', KEYS[1], 'u')
if not known or version(known) > version(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'u', ARGV[1])
return 1
