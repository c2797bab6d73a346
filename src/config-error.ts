/** A mistake in the configuration. The message is one line that names the key and the allowed values. */
export class ConfigError extends Error {}
