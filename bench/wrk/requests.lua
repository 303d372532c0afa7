-- Sends the requests of a file. It repeats them in turn, sends each of them once (the caller checks
-- `exhausted`), or puts the token from the previous response into the next request (a chain).
--
-- arguments  file, then `again`, `once`, or the field of the JSON response that has the next token
-- file       one request per line: method, path, body, and `name: value` for each header, separated
--            by tabs. In a chain, the body has a byte 1 before the token and a byte 1 after it.
local requests, at, once = {}, 0, false
local head, before, after
local first, last, field = 1, 0, nil
local thread
-- Globals, because `done` runs in another thread and reads them there.
tokens, exhausted = {}, false

function setup(it)
  thread = it
end

local function split(line)
  local parts = {}
  for part in (line .. '\t'):gmatch('(.-)\t') do parts[#parts + 1] = part end
  return parts
end

local function headOf(parts)
  local lines = {
    parts[1] .. ' ' .. parts[2] .. ' HTTP/1.1',
    'Host: ' .. wrk.host .. ':' .. wrk.port,
  }
  for index = 4, #parts do lines[#lines + 1] = parts[index] end
  return table.concat(lines, '\r\n') .. '\r\n'
end

local function withBody(start, body)
  return start .. 'Content-Length: ' .. #body .. '\r\n\r\n' .. body
end

local function wait(token)
  last = last + 1
  tokens[last] = token
end

-- A session whose response has no token sends no further requests.
local function onResponse(_, _, body)
  local token = body:match('"' .. field .. '"%s*:%s*"([^"]+)"')
  if token then wait(token) end
end

function init(args)
  for line in io.lines(args[1]) do
    local parts = split(line)
    local start, token, rest = parts[3]:match('^(.-)\1(.*)\1(.*)$')
    if token then
      head, before, after = headOf(parts), start, rest
      wait(token)
    else
      local start = headOf(parts)
      requests[#requests + 1] = parts[1] == 'GET' and start .. '\r\n' or withBody(start, parts[3])
    end
  end
  once = args[2] == 'once'
  if head then
    field, response = args[2], onResponse
    -- wrk creates one request that it does not send, which takes a token from the queue.
    wait(tokens[1])
  end
end

local function nextInTurn()
  at = at + 1
  if at > #requests then
    exhausted = once
    at = 1
  end
  return requests[at]
end

-- There are more sessions than connections, so at least one token is always in the queue.
local function nextInChain()
  local token = tokens[first]
  tokens[first] = nil
  first = first + 1
  return withBody(head, before .. token .. after)
end

function request()
  return head and nextInChain() or nextInTurn()
end

function done(summary, latency, _)
  local errors = summary.errors
  for _, token in pairs(thread:get('tokens')) do io.write('token ', token, '\n') end
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"refused":%d,"broken":%d,"exhausted":%s}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    tostring(thread:get('exhausted'))
  ))
end
