-- From Fluent Bit's names to those of cluster/stacks/logs/index-template.json.  A record without its pod's name stays as it is.
function fields(tag, timestamp, record)
  local from = record["kubernetes"]
  if from == nil or from["pod_name"] == nil then
    return 0, timestamp, record
  end
  local to = {
    message = record["log"],
    stream = record["stream"],
    app = record["app"],
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
