// Starts `blo lsp` when a model is opened. All that is known about models comes from there.
const { workspace, window } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function activate() {
  const command = workspace.getConfiguration("blo").get("path") || "blo";
  const server = { command, args: ["lsp"] };
  const documents = {
    documentSelector: [{ language: "blo" }],
    synchronize: { fileEvents: workspace.createFileSystemWatcher("**/*.{blo,npy,npz,csv,json,libsvm}") },
  };
  client = new LanguageClient("blo", "blo", server, documents);
  try {
    await client.start();
  } catch (error) {
    window.showErrorMessage(`blo could not be started as "${command} lsp"; set blo.path. ${error}`);
  }
}

function deactivate() {
  return client ? client.stop() : undefined;
}

module.exports = { activate, deactivate };
