// The pages and their addresses. What a page shows (filters, an open case, a draft) stands in its address: it can be sent to a colleague.
import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router";

declare module "vue-router" {
  interface RouteMeta {
    /** Name of the page, in its heading and in the browser's tab. */
    title: string;
    /** Where it stands in the menu; pages that are opened from another have none. */
    menu?: number;
    /** Scopes of which one is needed; none: any key. */
    scopes?: string[];
  }
}

/** Who may read cases. */
const READERS = ["hotline", "department", "viewer"];

export const PAGES: RouteRecordRaw[] = [
  { path: "/", name: "today", meta: { title: "今日", menu: 1, scopes: READERS }, component: () => import("./pages/today/TodayPage.vue") },
  { path: "/cases", name: "cases", meta: { title: "工单", menu: 2, scopes: READERS }, component: () => import("./pages/cases/CasesPage.vue") },
  { path: "/cases/:id", name: "case", meta: { title: "工单详情", scopes: READERS }, component: () => import("./pages/cases/CasePage.vue") },
  { path: "/desk", name: "desk", meta: { title: "待研判", menu: 3, scopes: READERS }, component: () => import("./pages/desk/DeskPage.vue") },
  { path: "/try", name: "try", meta: { title: "试一试", menu: 4 }, component: () => import("./pages/try/TryPage.vue") },
  {
    path: "/rules",
    name: "rules",
    meta: { title: "规则", menu: 5, scopes: ["rule_admin", "approver", "viewer"] },
    component: () => import("./pages/rules/RulesPage.vue"),
  },
  {
    path: "/rules/drafts/:id",
    name: "draft",
    meta: { title: "草稿", scopes: ["rule_admin", "approver"] },
    component: () => import("./pages/rules/draft/DraftPage.vue"),
  },
  { path: "/register", name: "register", meta: { title: "名录", menu: 6 }, component: () => import("./pages/register/RegisterPage.vue") },
  {
    path: "/departments",
    name: "departments",
    meta: { title: "单位", menu: 7 },
    component: () => import("./pages/departments/DepartmentsPage.vue"),
  },
  {
    path: "/deliveries",
    name: "deliveries",
    meta: { title: "送达", menu: 8, scopes: ["department", "viewer"] },
    component: () => import("./pages/deliveries/DeliveriesPage.vue"),
  },
  { path: "/system", name: "system", meta: { title: "系统", menu: 9 }, component: () => import("./pages/system/SystemPage.vue") },
  { path: "/:rest(.*)*", name: "nowhere", meta: { title: "没有这个页面" }, component: () => import("./pages/NowherePage.vue") },
];

export const router = createRouter({
  history: createWebHistory("/console/"),
  routes: PAGES,
  scrollBehavior: (_to, _from, kept) => kept ?? { top: 0 },
});

router.afterEach((to) => {
  document.title = `${to.meta.title} · 分派`;
});
