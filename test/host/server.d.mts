export type HostName = 'floor' | 'newest';
export interface Server {
  url: string;
  port: number;
  data: string;
  extensionsDir: string;
  chromium: string;
  version: string;
  pid: number;
  stop(): Promise<void>;
}
export const QUIET: Record<string, unknown>;
export const BROWSER_ARGS: string[];
export function startServer(options?: {
  host?: HostName;
  settings?: Record<string, unknown>;
  trust?: boolean;
  env?: Record<string, string>;
  dataDir?: string;
  log?: boolean;
  modal?: boolean;
}): Promise<Server>;
export function installVsix(host: HostName, vsix: string, extensionsDir: string): Promise<void>;
export function workbenchUrl(
  url: string,
  options: { folder?: string; extension?: string | undefined; suite?: string },
): string;
