/** The server cannot start. The message gives the reason in one line. */
export class StartError extends Error {}
