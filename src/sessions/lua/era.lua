-- Returns the era of the hot state. Begins a new era on demand, or if the marker does not name
-- every server, because the data of an unnamed server may be of any age, or if a later era is
-- known, because this server then missed its beginning.
--
-- KEYS[1]  the marker: the era (8 hex digits), then the run ids of the servers that it holds for,
--          separated by spaces
-- ARGV[1]  'learn', or 'begin' to begin a new era in any case
-- ARGV[2]  the highest era that is known, or 0
-- ARGV[3]  and more: the run ids of the servers that the node is connected to
--
-- reply    the marker that is in force now
local marker = redis.call('GET', KEYS[1])
local highest = tonumber(ARGV[2])
local current = marker and tonumber(string.sub(marker, 1, 8), 16) or 0
local is_known = marker ~= false and ARGV[1] == 'learn' and current >= highest
for i = 3, #ARGV do
  is_known = is_known and string.find(marker, ARGV[i], 1, true) ~= nil
end
if not is_known then
  -- A later era has a higher number, also if the marker was lost.
  local era = math.max(current + 1, highest + 1, tonumber(redis.call('TIME')[1]))
  marker = string.format('%08x', era) .. ' ' .. table.concat(ARGV, ' ', 3)
  redis.call('SET', KEYS[1], marker)
end
return marker
