/** The folder of this build's files, relative to the root of the app. The bundler puts it in. */
// eslint-disable-next-line no-var -- Only `var` declares a property of globalThis.
declare var PARLEY_ASSETS: string
