// A long task of the service: begun, asked how far it has come, cancelled. It goes on when the page is left.
import { onScopeDispose, ref, type Ref } from "vue";
import { api, ask, told, type Schemas } from "../api/client";

export type Job = Schemas["JobTold"];

const PAUSE = 700;
const GOING = ["waiting", "running"];

export interface Work {
  job: Ref<Job | null>;
  trouble: Ref<string>;
  /** Asked for and not yet begun. */
  starting: Ref<boolean>;
  begin: (start: () => Promise<Job>) => Promise<void>;
  cancel: () => Promise<void>;
}

export const going = (job: Job | null): boolean => job !== null && GOING.includes(job.state);

export function working(): Work {
  const job = ref<Job | null>(null);
  const trouble = ref("");
  const starting = ref(false);
  let timer = 0;

  async function begin(start: () => Promise<Job>): Promise<void> {
    trouble.value = "";
    job.value = null;
    starting.value = true;
    await hear(start);
    starting.value = false;
  }

  async function hear(get: () => Promise<Job>): Promise<void> {
    clearTimeout(timer);
    try {
      job.value = await get();
      trouble.value = job.value.error ?? "";
    } catch (error) {
      trouble.value = told(error);
    }
    if (going(job.value)) timer = window.setTimeout(() => hear(look), PAUSE);
  }

  const params = () => ({ params: { path: { job_id: job.value!.id } } });
  const look = () => ask(api.GET("/v1/rulesets/jobs/{job_id}", params()));
  const cancel = () => hear(() => ask(api.DELETE("/v1/rulesets/jobs/{job_id}", params())));
  onScopeDispose(() => clearTimeout(timer));
  return { job, trouble, starting, begin, cancel };
}
