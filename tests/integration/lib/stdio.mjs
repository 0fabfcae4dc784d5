// The official clients over stdio, for tests in other folders: packages are looked for from here.
export { Client as Client2 } from '@modelcontextprotocol/client';
export { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
export { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
export { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
