/**
 * In the bundle instead of all of undici: vsync uses its connection pool only. The rest (fetch, WebSocket, caches) is half of its code,
 * which costs each process 7 MB and 10 ms of CPU.
 */
module.exports = { Pool: require('../node_modules/undici/lib/dispatcher/pool.js') };
