/** The short flags that decide what is in a plan. In a file of its own, since the command tree loads nothing of a command itself. */
export const planFlags = ['include', 'exclude', 'max-deletes', 'max-delete-ratio', 'ignore-deletes'] as const;
