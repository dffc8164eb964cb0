// What the kit prepares, in JupyterLab's status bar.
//
// A prebuilt extension without a build: JupyterLab loads this file and takes its plugin from a module federation container
// (https://webpack.js.org/concepts/module-federation), which is written by hand below.  All modules come from JupyterLab itself.
(() => {
  const NAME = 'cloudnative-go-kit';
  const PERIOD = 2000; // ms between two looks while something is being prepared
  const REST = 15000; // ms while nothing is

  let shared;

  async function shares(name) {
    const [version] = Object.values(shared[name]);
    return (await version.get())();
  }

  async function look(settings, ServerConnection) {
    const response = await ServerConnection.makeRequest(`${settings.baseUrl}kit/status`, {}, settings);
    if (!response.ok) {
      throw new Error(response.statusText);
    }
    return response.json();
  }

  async function plugin() {
    const { IStatusBar } = await shares('@jupyterlab/statusbar');
    const { Widget } = await shares('@lumino/widgets');
    const { ServerConnection } = await shares('@jupyterlab/services');
    return {
      id: `${NAME}:status`,
      autoStart: true,
      optional: [IStatusBar],
      activate: (app, statusBar) => {
        if (!statusBar) {
          return;
        }
        const item = new Widget();
        const settings = app.serviceManager.serverSettings;
        item.node.style.lineHeight = '24px';
        item.node.style.padding = '0 8px';
        item.node.setAttribute('role', 'status');
        statusBar.registerStatusItem(NAME, { item, align: 'middle', rank: 1 });
        const follow = async () => {
          let rest = REST;
          try {
            const { text, running } = await look(settings, ServerConnection);
            item.node.textContent = item.node.title = text;
            rest = running ? PERIOD : REST;
          } catch {
            item.node.textContent = ''; // JupyterLab itself says when its server is gone
          }
          setTimeout(follow, rest);
        };
        void follow();
      }
    };
  }

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB[NAME] = {
    init: scope => {
      shared = scope;
    },
    get: async () => {
      const found = await plugin();
      return () => found;
    }
  };
})();
