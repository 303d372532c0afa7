-- Learn the era of the hot state, or begin a new one where it is not known where these data come from.
--
-- KEYS[1]  the marker: the era in hex, and the run ids of the servers that it holds for, separated by spaces
-- ARGV     1 a new era, 8 hex digits   2... run ids of all servers that can be reached
-- reply    the marker in force
local marker = redis.call('GET', KEYS[1])
local is_known = marker ~= false
for i = 2, #ARGV do
  is_known = is_known and string.find(marker, ARGV[i], 1, true) ~= nil
end
if not is_known then
  marker = table.concat(ARGV, ' ')
  redis.call('SET', KEYS[1], marker)
end
return marker
