-- Learn the era of the hot state, or begin a new one: where it is not known where these data come from, or on demand.
--
-- KEYS[1]  the marker: the era in hex, and the run ids of the servers that it holds for, separated by spaces
-- ARGV     1 a new era, 8 hex digits   2 'learn' or 'begin'   3... run ids of all servers that can be reached
-- reply    the marker in force
local marker = redis.call('GET', KEYS[1])
local is_known = marker ~= false and ARGV[2] == 'learn'
for i = 3, #ARGV do
  is_known = is_known and string.find(marker, ARGV[i], 1, true) ~= nil
end
if not is_known then
  marker = ARGV[1] .. ' ' .. table.concat(ARGV, ' ', 3)
  redis.call('SET', KEYS[1], marker)
end
return marker
