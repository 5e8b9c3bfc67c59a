import type { Role } from '../../config/config.ts';
import { version } from '../../version.ts';
import type { StarterFile } from './starter-file.ts';

/** A service job for the daemon of one role. */
export function nomadFiles(role: Role): StarterFile[] {
  return [{ name: `vsync-${role}.nomad.hcl`, content: job(role) }];
}

function job(role: Role): string {
  return `# nomad job run vsync-${role}.nomad.hcl (in the folder of ${role}.yaml)
variable "image" {
  description = "An image with Node.js 20.19 or later and vsync on the PATH"
  type        = string
  default     = "vsync:${version}"
}

job "vsync-${role}" {
  type = "service"

  group "${role}" {
    # One process for a role: two would write the same sync info.
    count = 1

    restart {
      attempts = 3
      interval = "5m"
      delay    = "15s"
      mode     = "delay"
    }

    task "vsync" {
      driver = "docker"

      config {
        image           = var.image
        command         = "vsync"
        args            = ["${role}", "--config", "/local/${role}.yaml"]
        readonly_rootfs = true
        cap_drop        = ["all"]
      }

      # The first SIGTERM finishes and saves what is under way.
      kill_timeout = "60s"

      # Nomad logs in to the ${role} Vault as this workload and keeps the token in /secrets/vault_token.
      identity {
        name = "vault_default"
        aud  = ["vault.io"]
        ttl  = "1h"
      }

      vault {
        role          = "vsync-${role}"
        change_mode   = "signal"
        change_signal = "SIGHUP"
      }

      template {
        data        = file("${role}.yaml")
        destination = "local/${role}.yaml"
        change_mode = "restart"
      }
${role === 'origin' ? '' : originToken}
      resources {
        cpu    = 200
        memory = 256
      }
    }
  }
}
`;
}

/** Nomad logs in to one Vault only. */
const originToken = `
      # The token for the origin Vault: nomad var put nomad/jobs/vsync-destination origin_vault_token=...
      template {
        data          = <<-EOT
          {{- with nomadVar "nomad/jobs/vsync-destination" }}{{ .origin_vault_token }}{{ end -}}
        EOT
        destination   = "secrets/origin-vault-token"
        change_mode   = "signal"
        change_signal = "SIGHUP"
      }
`;
