/** In the bundle instead of axios: node-vault loads it, but calls it only when it is given no transport, and vsync always gives one. */
module.exports = {
  create() {
    throw new Error('node-vault was opened without a transport');
  },
};
