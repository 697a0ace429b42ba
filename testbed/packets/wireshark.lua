local fm = Proto("fastmotion", "Fast Motion migration")
local header = {
  version = ProtoField.uint8("fastmotion.version", "version"),
  kind = ProtoField.uint8("fastmotion.type", "type"),
  message = ProtoField.string("fastmotion.message", "message"),
  length = ProtoField.uint32("fastmotion.length", "length"),
  offset = ProtoField.uint64("fastmotion.pages.offset", "offset", base.HEX),
  extent = ProtoField.uint64("fastmotion.pages.length", "length"),
  received = ProtoField.bytes("fastmotion.guest_connection.received", "received"),
  waiting = ProtoField.bytes("fastmotion.guest_connection.unacknowledged", "unacknowledged"),
}
local malformed = ProtoExpert.new("fastmotion.malformed", "no message of this protocol", expert.group.MALFORMED,
  expert.severity.ERROR)
local all = {}
for _, field in pairs(header) do table.insert(all, field) end
for _, message in pairs(messages) do
  for _, field in ipairs(message.fields) do
    local name, kind = "fastmotion." .. message.key .. "." .. field[1], field[2]
    field.shown = ProtoField[kind](name, field[1])
    table.insert(all, field.shown)
  end
end
local flags = {}
for _, flag in ipairs(connection_flags) do
  local shown = ProtoField.bool("fastmotion.guest_connection." .. flag[2], flag[2], 8, nil, flag[1])
  table.insert(flags, shown)
  table.insert(all, shown)
end
fm.fields = all
fm.experts = {malformed}

-- The message whose header begins there, or nothing where none does.
local function known(tvb, at)
  if tvb:len() - at < 8 or tvb(at, 2):string() ~= "FM" then return nil end
  local message = messages[tvb(at + 3, 1):uint()]
  local length = tvb(at + 4, 4):uint()
  if message == nil or length > message.longest then return nil end
  return message, length
end

local function extents(tvb, at, count, tree)
  for _ = 1, math.min(count, EXTENTS) do
    if tvb:len() - at < 16 then return at end
    tree:add(header.offset, tvb(at, 8))
    tree:add(header.extent, tvb(at + 8, 8))
    at = at + 16
  end
  return at
end

local function queues(tvb, at, sizes, tree)
  for number, field in ipairs({header.received, header.waiting}) do
    local size = math.min(sizes[number] or 0, tvb:len() - at)
    if size > 0 then tree:add(field, tvb(at, size)) end
    at = at + size
  end
  return at
end

local function body(tvb, at, length, message, tree)
  local last, sizes = math.min(at + length, tvb:len()), {}
  for _, field in ipairs(message.fields) do
    local size = field[3] > 0 and field[3] or last - at
    if size < 1 or at + size > last then return end
    local text = field[2] == "string"
    local item = text and tree:add_packet_field(field.shown, tvb(at, size), ENC_UTF_8) or tree:add(field.shown, tvb(at, size))
    if field[1] == "flags" then
      for _, flag in ipairs(flags) do item:add(flag, tvb(at, size)) end
    elseif field[1] == "received_bytes" or field[1] == "unacknowledged_bytes" then
      table.insert(sizes, tvb(at, size):uint())
    elseif field[1] == "count" then
      sizes.count = tvb(at, size):uint()
    end
    at = at + size
  end
  if sizes.count then extents(tvb, at, sizes.count, tree) end
  if #sizes > 0 then queues(tvb, at, sizes, tree) end
end

local function shown(tvb, at, length, message, pinfo, root)
  local size = math.min(8 + length, tvb:len() - at)
  local tree = root:add(fm, tvb(at, size), "Fast Motion: " .. message.name)
  tree:add(header.version, tvb(at + 2, 1))
  tree:add(header.kind, tvb(at + 3, 1)):append_text(" (" .. message.name .. ")")
  tree:add(header.message, tvb(at + 3, 1), message.name)
  tree:add(header.length, tvb(at + 4, 4))
  if tvb(at + 2, 1):uint() ~= VERSION then
    tree:add_proto_expert_info(malformed, "another version")
    return
  end
  body(tvb, at + 8, length, message, tree)
  local first = message.fields[1]
  local number = first and (first[1] == "index" or first[1] == "round") and tvb:len() - at >= 12
  pinfo.cols.info:append(" " .. message.name .. (number and " " .. tvb(at + 8, 4):uint() or ""))
end

local function of_channel(tvb, pinfo, root)
  local message, length = known(tvb, 0)
  if message == nil then
    root:add(fm, tvb()):add_proto_expert_info(malformed)
    return tvb:len()
  end
  shown(tvb, 0, length, message, pinfo, root)
  return tvb:len()
end

local function size_of(tvb, _, at)
  local _, length = known(tvb, at)
  return length and 8 + length or tvb:len() - at
end

function fm.dissector(tvb, pinfo, root)
  if tvb:len() < 2 or tvb(0, 1):string() ~= "F" then return 0 end
  pinfo.cols.protocol = "FastMotion"
  if pinfo.src_port == STREAM_PORT or pinfo.dst_port == STREAM_PORT then
    local message, length = known(tvb, 0)
    if message == nil then return 0 end
    shown(tvb, 0, length, message, pinfo, root)
    return tvb:len()
  end
  dissect_tcp_pdus(tvb, root, 8, size_of, of_channel)
  return tvb:len()
end

local ports = DissectorTable.get("tcp.port")
ports:add(CHANNEL_PORT, fm)
ports:add(STREAM_PORT, fm)
