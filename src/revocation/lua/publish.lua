-- Appends revocations to the stream that every node reads, and trims the entries that no access
-- token can outlive. Each entry names the one before it, so that a reader notices a gap.
--
-- KEYS[1]  the stream
-- ARGV     1 milliseconds that an entry matters   2... pairs of a revocation, as JSON, and its age
--          in milliseconds; if there are none, an empty stream gets a first entry that says nothing
-- reply    the id of the last entry
--
-- The stream never expires as a whole: its last id keeps the next one above it, even if the clock
-- goes back. The trimming never removes the last entry, which is newer than any limit.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local oldest = string.format('%d', now - tonumber(ARGV[1]))
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local id = last and last[1] or '0-0'
for i = 2, #ARGV, 2 do
  local fields = { 'revocation', ARGV[i], 'after', id }
  -- An entry counts from its first publication, so that it does not live on by being repeated.
  if tonumber(ARGV[i + 1]) > 0 then
    fields[5] = 'at'
    fields[6] = string.format('%d', now - tonumber(ARGV[i + 1]))
  end
  id = redis.call('XADD', KEYS[1], 'MINID', '~', oldest, '*', unpack(fields))
end
if id == '0-0' then
  id = redis.call('XADD', KEYS[1], '*', 'revocation', '{}', 'after', id)
end
return id
