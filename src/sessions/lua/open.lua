-- Start a session, or go on with one that was lost; the least recently used ones make room for it. A session that is
-- there already stays as it is, or joins this era where it is of an earlier one and has come as far.
--
-- KEYS[1]  the user's hash
-- ARGV     1 session id, 16 bytes   2 now in ms, or '' for the time of this server   3 idle life in ms
--          4 absolute expiry in ms  5 most sessions  6 authorization: "<ver> <role> <role> ..."
--          7 generation                8 retry key that came with it, 6 bytes, or ''
--          9 era                      10 time in ms after which nobody waits for the reply
-- reply    { generation, time of rotation, idle expiry, authorization in force, evicted session id in hex ... }
--          or 'late' and now, with a space in between
--
-- The hash: field 'u' holds the authorization; a field per session, named by the 16 bytes of its id, holds
-- generation (4 bytes), time of rotation (6), retry key (6), absolute expiry (6), era (4), big-endian. Idle expiry follows
-- from the time of rotation. Ten sessions, or one, just fit a size that the allocator has: look there before adding a byte.
local PACKED = '>I4I6c6I6I4'
local SIZE = 26
local CONDEMNED = 0
local NO_RETRY_KEY = string.rep('\0', 6)
local key, sid = KEYS[1], ARGV[1]
local retry_key = ARGV[8] == '' and NO_RETRY_KEY or ARGV[8]
local idle_ttl, absolute, most = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local first, era = tonumber(ARGV[7]), tonumber(ARGV[9])

local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

if now > tonumber(ARGV[10]) then return 'late ' .. now end

local function version(authorization)
  return tonumber(string.match(authorization, '^%d+'))
end

local fields = redis.call('HGETALL', key)
local known, existing, alive, others = nil, nil, false, {}
for i = 1, #fields, 2 do
  local field, value = fields[i], fields[i + 1]
  if field == 'u' then
    known = value
  else
    local generation, at, _, expiry = struct.unpack(PACKED, value)
    -- What an earlier version packed is not read: Postgres knows the session.
    if #value ~= SIZE or now >= math.min(at + idle_ttl, expiry) then
      redis.call('HDEL', key, field)
    else
      alive = true
      if field == sid then
        existing = value
      elseif generation ~= CONDEMNED then
        table.insert(others, { sid = field, at = at })
      end
    end
  end
end
-- What is left over from sessions that have all expired says nothing any more.
local authorization = ARGV[6]
if alive and version(known) > version(authorization) then authorization = known end

redis.call('HSET', key, 'u', authorization)
if existing then
  local generation, at, known_key, known_absolute, known_era = struct.unpack(PACKED, existing)
  local is_condemned = generation == CONDEMNED
  if is_condemned or known_era == era or generation >= first then
    redis.call('HSET', key, sid, struct.pack(PACKED, generation, at, known_key, known_absolute, era))
    return { generation, at, math.min(at + idle_ttl, known_absolute), authorization }
  end
end

table.sort(others, function(a, b)
  if a.at ~= b.at then return a.at < b.at end
  return a.sid < b.sid
end)
local idle = math.min(now + idle_ttl, absolute)
local reply = { first, now, idle, authorization }
for i = 1, #others - most + 1 do
  redis.call('HDEL', key, others[i].sid)
  table.insert(reply, (string.gsub(others[i].sid, '.', function(c) return string.format('%02x', string.byte(c)) end)))
end

redis.call('HSET', key, sid, struct.pack(PACKED, first, now, retry_key, absolute, era))
if redis.call('PTTL', key) < idle - now then redis.call('PEXPIRE', key, idle - now) end
return reply
