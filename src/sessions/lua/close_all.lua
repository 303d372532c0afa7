-- Forget the sessions of a user, all or all but one.
--
-- KEYS[1]  the user's hash; open.lua says what it holds
-- ARGV     1 id of the session that stays, 16 bytes, or ''
-- reply    how many were forgotten
local key, kept = KEYS[1], ARGV[1]
local forgotten, has_kept = 0, false
for _, field in ipairs(redis.call('HKEYS', key)) do
  if field == kept then
    has_kept = true
  elseif field ~= 'u' then
    forgotten = forgotten + redis.call('HDEL', key, field)
  end
end
if not has_kept then redis.call('DEL', key) end
return forgotten
