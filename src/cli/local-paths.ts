/** Where things lie on a node, and in the agent's container alike (DESIGN §13). */
export const EVENTS_SOCKET = '/run/palisade/events.sock';
export const EXPORT_FILE = '/var/log/palisade/events.log';
export const EXPORT_BACKUPS = 5;
