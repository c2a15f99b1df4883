// How the editor looks and speaks: colours of the console, Chinese phrases, and the gutter that tells how each case fared.
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, gutter, GutterMarker } from "@codemirror/view";

export const look: Extension = EditorView.theme({
  "&": { backgroundColor: "var(--card)", color: "var(--text)", fontSize: "14px", height: "min(62vh, 620px)" },
  ".cm-scroller": { fontFamily: "ui-monospace, 'Cascadia Mono', 'Noto Sans Mono CJK SC', 'WenQuanYi Zen Hei Mono', monospace", lineHeight: "1.6" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--page)", color: "var(--quiet)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine": { backgroundColor: "#7f7f7f18" },
  ".cm-activeLineGutter": { backgroundColor: "#7f7f7f28" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "#5b8fd455 !important" },
  ".cm-tooltip": { backgroundColor: "var(--card)", color: "var(--text)", border: "1px solid var(--line)" },
  ".cm-diagnostic": { whiteSpace: "pre-wrap" },
  ".cm-line span": { color: "inherit" },
  ".cm-line .ͼd, .cm-line .ͼl": { color: "var(--el-color-primary)" },
  ".cm-case": { fontWeight: "700", padding: "0 3px" },
  ".cm-case.right": { color: "var(--good)" },
  ".cm-case.wrong": { color: "var(--bad)" },
});

export const phrases: Extension = EditorState.phrases.of({
  Find: "查找", Replace: "替换为", next: "下一处", previous: "上一处", all: "全部", "match case": "区分大小写", regexp: "正则", "by word": "整词", replace: "替换", "replace all": "全部替换",
  close: "关闭", "Go to line": "跳到行", go: "跳转", "No diagnostics": "没有问题", Diagnostics: "问题", "Fold line": "折叠", "Unfold line": "展开", "Folded lines": "已折叠", "Unfolded lines": "已展开", "unfold": "展开", "to": "到",
  Completions: "可以写", "Control character": "控制字符", "Selection deleted": "已删除所选", "current match": "当前匹配", "on line": "在行", "replaced $ matches": "替换了 $ 处", "replaced match on line $": "替换了第 $ 行的一处",
});

/** The styles that the editor makes carry the nonce of this page. */
export const nonced = (): Extension => EditorView.cspNonce.of(document.querySelector<HTMLMetaElement>("meta[name=csp-nonce]")?.content ?? "");

class Mark extends GutterMarker {
  constructor(private readonly wrong: string[]) {
    super();
  }

  override toDOM(): Node {
    const sign = document.createElement("span");
    sign.className = `cm-case ${this.wrong.length ? "wrong" : "right"}`;
    sign.textContent = this.wrong.length ? "✗" : "✓";
    sign.title = this.wrong.length ? `用例不符：${this.wrong.join("；")}` : "用例通过";
    return sign;
  }
}

/** Beside each case its result: line -> what was not as expected (nothing: it passed). */
export function resultsGutter(results: () => Map<number, string[]>): Extension {
  return gutter({
    class: "cm-results",
    lineMarker(view, block) {
      const wrong = results().get(view.state.doc.lineAt(block.from).number);
      return wrong ? new Mark(wrong) : null;
    },
    lineMarkerChange: () => true,
  });
}
