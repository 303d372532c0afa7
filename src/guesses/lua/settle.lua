-- Takes back a guess that reserve.lua counted. tally.ts has the same rules.
--
-- KEYS[1]  the hash; reserve.lua documents it
-- ARGV[1]  'cleared': the password was right, so the tallies are deleted
--          'returned': no password was checked, so each tally has one guess less
-- ARGV[n]  the names of the tallies
--
-- reply    1
local key = KEYS[1]
for i = 2, #ARGV do
  local text = redis.call('HGET', key, ARGV[i]) or ''
  local count, at, expiry = string.match(text, '^(%d+) (%d+) (%d+)$')
  count = tonumber(count)
  if ARGV[1] == 'returned' and count and count > 1 then
    local memory = math.floor((tonumber(expiry) - at) / count)
    local left = count - 1
    redis.call('HSET', key, ARGV[i], string.format('%d %d %d', left, at, at + left * memory))
  else
    redis.call('HDEL', key, ARGV[i])
  end
end
return 1
