/** The database cannot be opened or migrated, said in one line for whoever runs the server; never with a password in it. */
export class DatabaseError extends Error {}
