import type { Role } from '../../config/config.ts';
import { version } from '../../version.ts';
import { credentialNames, credentialsFolder, type StarterFile } from './starter-file.ts';

/** Manifests for `kubectl apply -k`: a Deployment for each role, and a CronJob to take instead of it. */
export function kubernetesFiles(roles: readonly Role[]): StarterFile[] {
  return [
    { name: 'kustomization.yaml', content: kustomization(roles) },
    ...roles.flatMap((role) => [
      { name: `deployment-${role}.yaml`, content: deployment(role) },
      { name: `cronjob-${role}.yaml`, content: cronJob(role) },
    ]),
  ];
}

function kustomization(roles: readonly Role[]): string {
  return `# kubectl apply -k .
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
${roles.map((role) => `  - deployment-${role}.yaml\n  # Instead of the Deployment, one cycle at a time:\n  # - cronjob-${role}.yaml`).join('\n')}
# A changed configuration gets another name, so the pods are replaced.
configMapGenerator:
${roles.map((role) => `  - name: vsync-${role}\n    files:\n      - ${role}.yaml`).join('\n')}
`;
}

function deployment(role: Role): string {
  return `${secretNote(role)}apiVersion: apps/v1
kind: Deployment
metadata:
  name: vsync-${role}
  labels: &labels
    app.kubernetes.io/name: vsync
    app.kubernetes.io/component: ${role}
spec:
  # One process for a role: two would write the same sync info.
  replicas: 1
  strategy:
    type: Recreate
  selector:
    matchLabels: *labels
  template:
    metadata:
      labels: *labels
    spec:
${pod(role, [])}`;
}

function cronJob(role: Role): string {
  return `${secretNote(role)}apiVersion: batch/v1
kind: CronJob
metadata:
  name: vsync-${role}
spec:
  schedule: "*/5 * * * *"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      backoffLimit: 2
      # Held deletes (4), usage (64), corrupt data (65), denied (77) and a wrong configuration (78) wait for a person.
      podFailurePolicy:
        rules:
          - action: FailJob
            onExitCodes:
              operator: In
              values: [4, 64, 65, 77, 78]
      template:
        metadata:
          labels:
            app.kubernetes.io/name: vsync
            app.kubernetes.io/component: ${role}
        spec:
          restartPolicy: Never
${indented(pod(role, ['--once']), 4)}`;
}

function secretNote(role: Role): string {
  const files = credentialNames(role).map(({ vault }) => `--from-file=${vault}`);
  return `# Tokens: kubectl create secret generic vsync-${role} ${files.join(' ')}\n`;
}

function pod(role: Role, more: readonly string[]): string {
  const args = [role, '--config', `/etc/vsync/${role}.yaml`, ...more].map((arg) => `"${arg}"`).join(', ');
  return `      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 30
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        fsGroup: 65532
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: vsync
          # An image with Node.js 20.19 or later and vsync on the PATH.
          image: vsync:${version}
          command: ["vsync"]
          args: [${args}]
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: ["ALL"]
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 512Mi
          volumeMounts:
            - name: config
              mountPath: /etc/vsync
              readOnly: true
            - name: credentials
              mountPath: ${credentialsFolder('kubernetes', role)}
              readOnly: true
      volumes:
        - name: config
          configMap:
            name: vsync-${role}
        # Projected, so that a changed token reaches the running process, which reads it again.
        - name: credentials
          projected:
            defaultMode: 0440
            sources:
              - secret:
                  name: vsync-${role}
`;
}

function indented(text: string, by: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by));
}
