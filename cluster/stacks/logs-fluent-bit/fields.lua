-- From Fluent Bit's names to those of cluster/stacks/logs/index-template.json.  A record without its pod's name stays as it is.
-- Elasticsearch takes no field without a name, and no thousand levels: such a line has no fields, and is marked.
local function fits(value, level)
  if type(value) ~= "table" then
    return true
  end
  for key, inner in pairs(value) do
    if level > 500 or (type(key) == "string" and not key:find("%S")) or not fits(inner, level + 1) then
      return false
    end
  end
  return true
end

function fields(tag, timestamp, record)
  local from = record["kubernetes"]
  if from == nil or from["pod_name"] == nil then
    return 0, timestamp, record
  end
  local to = {
    message = record["log"],
    stream = record["stream"],
    app = fits(record["app"], 1) and record["app"] or nil,
    tags = not fits(record["app"], 1) and { "only-text" } or nil,
    kubernetes = {
      namespace = from["namespace_name"],
      pod = { name = from["pod_name"], uid = from["pod_id"] },
      container = { name = from["container_name"] },
      node = { name = from["host"] },
      labels = from["labels"],
    },
  }
  return 1, timestamp, to
end
