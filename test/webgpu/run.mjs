// The tests on WebGPU: npm run test:webgpu [-- FILTER...]
// On the machine's own GPU, or on the software driver (SwiftShader) that Debian's chromium-common brings along.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const drivers = ['/usr/lib/chromium/vk_swiftshader_icd.json'];
const env = { ...process.env };

if (process.platform === 'linux' && !env.VK_DRIVER_FILES && !env.VK_ICD_FILENAMES && !existsSync('/dev/dri')) {
  const driver = drivers.find(existsSync);
  if (!driver) {
    console.log('WebGPU tests skipped: no GPU and no software driver (on Debian: apt-get install chromium-common)');
    process.exit(0);
  }
  env.VK_ICD_FILENAMES = driver;
  // Chromium brings its own Vulkan loader, which has to be found before the process starts.
  env.LD_LIBRARY_PATH = [dirname(driver), env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  console.log(`WebGPU in software: ${driver}`);
}
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const args = [vitest, 'run', '--config', 'vitest.webgpu.config.ts', ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status ?? 1);
