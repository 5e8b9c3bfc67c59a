# The process of a destination, at the origin: values, read only.
path "secret/data/*"           { capabilities = ["read"] }
path "team/kv/data/*"          { capabilities = ["read"] }

# What a token without the `default` policy needs for itself.
path "auth/token/lookup-self"  { capabilities = ["read"] }
path "auth/token/renew-self"   { capabilities = ["update"] }
path "sys/capabilities-self"   { capabilities = ["update"] }
