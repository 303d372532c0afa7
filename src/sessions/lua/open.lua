-- Starts a session, or re-opens one that was lost. Removes the user's least recently used sessions
-- if there is no room for it. A session that is there already stays as it is. If it is of an
-- earlier era, it joins this era, provided that its generation is not behind the requested one.
--
-- KEYS[1]   the user's hash
-- ARGV[1]   session id, 16 bytes
-- ARGV[2]   now in ms, or '' for the time of this server
-- ARGV[3]   idle life of a session in ms
-- ARGV[4]   absolute expiry of the session, in seconds since 1970
-- ARGV[5]   maximum number of sessions of a user
-- ARGV[6]   authorization: "<ver> <role> <role> ... <mac>"
-- ARGV[7]   generation
-- ARGV[8]   retry key of the refresh that led to this generation, 6 bytes, or ''
-- ARGV[9]   era
-- ARGV[10]  deadline, in ms since 1970: after it the node no longer waits for the reply
-- ARGV[11]  the era that began because the clock of this server was set back, or 0
-- ARGV[12]  when that era began, in ms since 1970. A session of an earlier era was rotated before,
--           whatever its time says.
--
-- reply     { generation, time of rotation, idle expiry, authorization in force,
--             then the ids of the evicted sessions in hex }
--           'late <now>' if the command arrived after its deadline, and nothing was done
--           'early <now>' if the deadline lies so far ahead that the node must have computed it
--             before the clock of this server was set back, and nothing was done
--
-- The hash: field 'u' holds the authorization. Each session has a field whose name is the 16 bytes
-- of its id. The value holds, big-endian: layout (1 byte), generation (4), time of rotation in ms
-- (6), retry key (6), absolute expiry in seconds (5), era (4). The idle expiry follows from the
-- time of rotation. If that time was ahead of the clock, because the clock had been set back, 6
-- more bytes hold by how many ms. A later version that changes any of this uses another layout.
--
-- The memory of a hash with ten sessions just fits a size class of the allocator. Check that before
-- you add a byte.
local LAYOUT, PACKED, SIZE = 1, '>BI4I6c6I5I4', 26
local PACKED_LEAD, SIZE_WITH_LEAD = '>I6', 32
local CONDEMNED = 0
local MAX_DEADLINE = 2000
local NO_RETRY_KEY = string.rep('\0', 6)
local key, sid = KEYS[1], ARGV[1]
local retry_key = ARGV[8] == '' and NO_RETRY_KEY or ARGV[8]
local idle_ttl, absolute, max_sessions = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local first, era = tonumber(ARGV[7]), tonumber(ARGV[9])
local renewed_era, renewed_at = tonumber(ARGV[11]), tonumber(ARGV[12])

local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local deadline = tonumber(ARGV[10])
if now > deadline then return 'late ' .. now end
if deadline - now > MAX_DEADLINE then return 'early ' .. now end

local function version(authorization)
  return tonumber(string.match(authorization or '', '^%d+') or 0)
end

local fields = redis.call('HGETALL', key)
local known, existing, has_sessions, others = nil, nil, false, {}
for i = 1, #fields, 2 do
  local field, value = fields[i], fields[i + 1]
  if field == 'u' then
    known = value
  else
    local layout, generation, at, expiry = string.byte(value) or 0, nil, 0, 0
    -- A value that is damaged, or that an earlier version packed, is removed: Postgres knows the
    -- session.
    if layout == LAYOUT and (#value == SIZE or #value == SIZE_WITH_LEAD) then
      local _
      _, generation, at, _, expiry = struct.unpack(PACKED, value)
    end
    if layout <= LAYOUT and now >= math.min(at + idle_ttl, expiry * 1000) then
      redis.call('HDEL', key, field)
    elseif layout == LAYOUT then
      has_sessions = true
      if field == sid then
        existing = value
      elseif generation ~= CONDEMNED then
        table.insert(others, { sid = field, at = at })
      end
    end
  end
end
-- An authorization that is left over from expired sessions may be outdated, so it does not count.
local authorization = ARGV[6]
if has_sessions and version(known) > version(authorization) then authorization = known end

redis.call('HSET', key, 'u', authorization)
if existing then
  local _, generation, at, known_key, known_absolute, known_era = struct.unpack(PACKED, existing)
  local is_condemned = generation == CONDEMNED
  if is_condemned or known_era == era or generation >= first then
    local packed = struct.pack(PACKED, LAYOUT, generation, at, known_key, known_absolute, era)
    local lead = #existing == SIZE and 0 or struct.unpack(PACKED_LEAD, existing, SIZE + 1)
    if known_era < renewed_era then lead = math.max(lead, at - renewed_at) end
    if lead > 0 then packed = packed .. struct.pack(PACKED_LEAD, lead) end
    redis.call('HSET', key, sid, packed)
    return { generation, at, math.min(at + idle_ttl, known_absolute * 1000), authorization }
  end
end

table.sort(others, function(a, b)
  if a.at ~= b.at then return a.at < b.at end
  return a.sid < b.sid
end)

local function hex(bytes)
  return (string.gsub(bytes, '.', function(c) return string.format('%02x', string.byte(c)) end))
end

local idle_expiry = math.min(now + idle_ttl, absolute * 1000)
local reply = { first, now, idle_expiry, authorization }
for i = 1, #others - max_sessions + 1 do
  redis.call('HDEL', key, others[i].sid)
  table.insert(reply, hex(others[i].sid))
end

redis.call('HSET', key, sid, struct.pack(PACKED, LAYOUT, first, now, retry_key, absolute, era))
local life = idle_expiry - now
if redis.call('PTTL', key) < life then redis.call('PEXPIRE', key, life) end
return reply
