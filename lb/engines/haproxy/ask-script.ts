/** Of the script, beside the configuration. */
export const scriptFile = 'ask.lua';

/** An endpoint that did not answer is asked again after so many seconds, unless there is no other. */
const restSeconds = 5;

/**
 * What HAProxy runs to ask another service about a request (`weir_ask` PATH TIMEOUT-MS FIELDS…, no fields: `-`). It sets `txn.passed`,
 * answers the client by itself, or leaves it at that: then nobody has answered. HAProxy's own client hides its failures behind pages.
 */
export const askScript = `local rested, turn = {}, 0
local left_out = {
  ["content-length"] = true, ["transfer-encoding"] = true, ["content-encoding"] = true, ["expect"] = true,
  ["trailer"] = true, ["connection"] = true, ["upgrade"] = true,
}
local kept = { ["www-authenticate"] = true, ["location"] = true, ["set-cookie"] = true, ["cache-control"] = true }

local function listed(values)
  local list, n = {}, 0
  while values and values[n] do
    list[n + 1] = values[n]
    n = n + 1
  end
  return list
end

local function places_of(text)
  local ready, resting, all = {}, {}, {}
  for place in string.gmatch(text or "", "[^,]+") do all[#all + 1] = place end
  turn = turn + 1
  for n = 1, #all do
    local place = all[(turn + n) % #all + 1]
    local into = (rested[place] or 0) > core.now().sec and resting or ready
    into[#into + 1] = place
  end
  for _, place in ipairs(resting) do ready[#ready + 1] = place end
  return ready
end

local function question_of(txn)
  local fields = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not left_out[name] then fields[name] = listed(values) end
  end
  fields["x-forwarded-method"] = { txn.sf:method() }
  fields["x-forwarded-uri"] = { txn.sf:pathq() }
  return fields
end

local function asked(place, path, fields, timeout)
  local answer = core.httpclient():get{
    url = "http://service.invalid" .. path, headers = fields, dst = place, timeout = tonumber(timeout),
  }
  local failed = answer == nil or (answer.status or 0) < 200
    or (answer.status >= 502 and answer.status <= 504 and string.match(answer.body or "", "^<html><body><h1>50%d "))
  if not failed then return answer end
  rested[place] = core.now().sec + ${restSeconds}
end

local function pass(txn, answer, names)
  for _, name in ipairs(names) do
    txn.http:req_del_header(name)
    for _, value in ipairs(listed(answer.headers[string.lower(name)])) do txn.http:req_add_header(name, value) end
  end
  txn:set_var("txn.passed", true)
end

local function refuse(txn, answer)
  local fields = { ["x-request-id"] = { txn.sf:unique_id() } }
  for name, values in pairs(answer.headers or {}) do
    if kept[name] then fields[name] = listed(values) end
  end
  fields["content-type"] = listed((answer.headers or {})["content-type"])
  if #fields["content-type"] == 0 then fields["content-type"] = { "text/plain" } end
  txn:set_var("txn.why", "forward-auth")
  local body = txn.sf:method() ~= "HEAD" and answer.body or ""
  txn:done(txn:reply{ status = answer.status, reason = answer.reason, headers = fields, body = body })
end

core.register_action("weir_ask", { "http-req" }, function(txn, path, timeout, copied)
  local fields = question_of(txn)
  local names = {}
  for name in string.gmatch(copied, "[^,]+") do
    if name ~= "-" then names[#names + 1] = name end
  end
  for _, place in ipairs(places_of(txn:get_var("txn.asked_at"))) do
    local answer = asked(place, path, fields, timeout)
    if answer then
      if answer.status < 300 then return pass(txn, answer, names) end
      return refuse(txn, answer)
    end
  end
end, 3)
`;
