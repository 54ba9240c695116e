// Types, lint rules and format, side by side: npm run check
import { spawn } from 'node:child_process';

const CHECKS = ['tsc -p .', 'eslint .', 'prettier --check .'];

const results = await Promise.all(
  CHECKS.map(
    (check) =>
      new Promise((resolve) => {
        const child = spawn('npx', check.split(' '), { shell: process.platform === 'win32' });
        let output = '';
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
        child.on('close', (code) => {
          console.log(`${code === 0 ? 'ok' : 'FAILED'} ${check}${code === 0 ? '' : `\n${output}`}`);
          resolve(code ?? 1);
        });
      }),
  ),
);
process.exit(results.some((code) => code !== 0) ? 1 : 0);
