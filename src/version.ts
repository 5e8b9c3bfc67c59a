import packageJson from '../package.json' with { type: 'json' };

/** The version of this vsync, from `package.json`. */
export const version: string = packageJson.version;
