"""The vocabulary of fenpai: one word for one thing, shared by every part of the house.

| word            | 中文            | meaning                                                                |
|-----------------|-----------------|------------------------------------------------------------------------|
| complaint       | 诉求            | what the hotline sent, kept unchanged for ever                         |
| case            | 案件 / 工单     | the tracked work that a complaint opens                                |
| category        | 机构类别        | subject 学科类, sports 体育类, arts 文化艺术类, tech 科技类 (pack data) |
| department      | 单位            | a unit that handles cases; a stable code, a name and aliases in YAML   |
| lead, assist    | 主办, 协办      | the department in charge; one that helps because of an issue           |
| issue           | 问题类型        | what the complaint is about: refund, license, fire, ...                |
| rule            | 规则            | one YAML rule: terms that, when met, are evidence                      |
| rule set, pack  | 规则集, 规则包  | all rules of a district at one version; the folder that holds them     |
| evidence        | 依据            | one rule that fired: term, field, place, weight, clause                |
| decision        | 研判结果        | dispatch 分派, escalate 提级牵头, return 退回热线                      |
| change          | 变更            | one row of the ordered feed that pollers read                          |

This package imports nothing of ours.
"""
