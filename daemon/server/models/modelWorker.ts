/** Entry of the thread (dist/modelWorker.mjs) that reads large model files, so that the daemon stays responsive. */
import { serveJobs } from '../../language/modelThread.js';
import { countZeros, readModelFile } from '../../language/readModelFile.js';
import { answerOf, LoadedModels, planOf, type PlanToRead, type Question, type Questions } from './loadedModel.js';
import type { Answered } from './models.js';

const models = new LoadedModels();

interface Asked<Q extends Question> {
  readonly question: Q;
  readonly path: string;
  readonly workspace: string;
  readonly params: Questions[Q]['params'];
}

serveJobs({
  read: (path: string) => readModelFile(path),
  zeros: ({ path, workspace }: { path: string; workspace: string }) => countZeros(path, workspace),
  plan: (plan: PlanToRead) => planOf(plan, models),
  async ask<Q extends Question>({ question, path, workspace, params }: Asked<Q>): Promise<Answered<Q>> {
    const model = await models.load(path, workspace);
    return { answer: answerOf(question, model, params), files: model.files };
  },
});
