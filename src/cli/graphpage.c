#include "base/json.h"
#include "cli/graph.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>plan</title><style>\n"
	"body{margin:0;font:13px system-ui,sans-serif;color:#1c2430;display:grid;grid-template:auto 1fr/1fr 300px;height:100vh}\n"
	"header{grid-column:1/3;padding:8px 12px;border-bottom:1px solid #c3cad4;display:flex;gap:12px;align-items:center}\n"
	"input{font:inherit;padding:4px 8px;width:260px}main{overflow:auto;padding:8px}aside{border-left:1px solid #c3cad4;padding:12px;overflow:auto}\n"
	"aside h2{font-size:14px;margin:0 0 6px;overflow-wrap:anywhere}aside h3{font-size:12px;margin:12px 0 2px;color:#5b6675}\n"
	"aside pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f7f9;padding:6px;margin:0}aside a{display:block;cursor:pointer;color:#1b5fb4;overflow-wrap:anywhere}\n"
	".cell{cursor:pointer}.dim .cell{opacity:.25}.dim .cell.near,.dim .cell.picked,.dim .cell.found{opacity:1}\n"
	".cell.picked rect{stroke:#1c2430;stroke-width:2.5}.cell.found rect{stroke:#b0156b;stroke-width:2.5}\n"
	"</style></head><body><header><b></b><input type=\"search\" placeholder=\"find a step\" aria-label=\"find a step\"><span></span></header><main>\n";

/* Needs and dependents of the step that is picked; plain DOM, no other file. */
static const char script[] =
	"const main=document.querySelector('main'),aside=document.querySelector('aside'),svg=main.querySelector('svg'),said=document.querySelector('header span'),"
	"find=document.querySelector('input');\n"
	"document.querySelector('header b').textContent=plan.steps.length+' steps';\n"
	"const needs=plan.steps.map(()=>[]),users=plan.steps.map(()=>[]);\n"
	"for(const[a,b]of plan.edges){needs[b].push(a);users[a].push(b)}\n"
	"const cell=i=>document.getElementById('s'+i);\n"
	"function all(from,by){const seen=new Set(),todo=[...by[from]];while(todo.length){const i=todo.pop();if(!seen.has(i)){seen.add(i);todo.push(...by[i])}}return seen}\n"
	"function clear(c){for(const e of svg.querySelectorAll('.'+c))e.classList.remove(c)}\n"
	"function add(tag,text){const e=document.createElement(tag);e.textContent=text;aside.append(e);return e}\n"
	"function links(title,list){if(!list.length)return;add('h3',title);for(const i of list){const a=add('a',plan.steps[i].step);a.onclick=()=>pick(i,true)}}\n"
	"function pick(i,go){clear('picked');clear('near');aside.replaceChildren();svg.classList.toggle('dim',i!==null);if(i===null)return;\n"
	" const s=plan.steps[i];cell(i).classList.add('picked');for(const k of[...all(i,needs),...all(i,users)])cell(k).classList.add('near');\n"
	" add('h2',s.step);if(s.summary)add('p',s.summary);if(s.status)add('p',s.status+(s.reason?': '+s.reason:''));\n"
	" if(s.script){add('h3','runs');add('pre',s.script)}links('needs',needs[i]);links('is needed by',users[i]);\n"
	" if(go)cell(i).scrollIntoView({block:'center',inline:'center'})}\n"
	"svg.onclick=e=>{const c=e.target.closest('.cell[id]');pick(c?+c.id.slice(1):null)};\n"
	"find.oninput=()=>{clear('found');const t=find.value.toLowerCase();let n=0,first=null;if(t)plan.steps.forEach((s,i)=>{if(s.step.toLowerCase().includes(t)){"
	"cell(i).classList.add('found');n++;if(first===null)first=i}});svg.classList.toggle('dim',n>0);said.textContent=t?n+' found':'';if(first!==null)cell(first).scrollIntoView({block:'center',inline:'center'})};\n"
	"if(plan.focus!==null)pick(plan.focus,true);\n";

/* JSON inside of a script element: "</" would end it. */
static void embed(struct buf *out, struct str json)
{
	for (size_t i = 0; i < json.n; i++)
		if (json.s[i] == '<')
			buf_z(out, "\\u003c");
		else
			buf_c(out, json.s[i]);
}

static struct str script_of(const struct graph *g, const struct plan_step *s)
{
	CLEANUP_BUF struct buf words = BUF_INIT(BUF_UNLIMITED);

	if (s->script_kind == SCRIPT_KIND_RUN)
		return plan_str(g->plan, s->script);
	for (uint32_t i = 0; i < s->argv.n; i++) {
		buf_z(&words, i ? " " : "");
		buf_str(&words, plan_word(g->plan, s->argv, i));
	}
	return str_dup(g->arena, buf_view(&words));
}

static void data(const struct graph *g, struct buf *out)
{
	struct json j = {.out = out};

	json_open(&j, '{');
	json_key(&j, "focus");
	if (g->focus == PLAN_NONE)
		json_null(&j);
	else
		json_int(&j, g->at[g->focus]);
	json_key(&j, "steps");
	json_open(&j, '[');
	for (uint32_t i = 0; i < g->nsteps; i++) {
		const struct plan_step *s = &g->plan->steps[g->steps[i]];

		json_open(&j, '{');
		json_kstr(&j, "step", plan_step_name(g->plan, g->steps[i]));
		json_kstr(&j, "summary", plan_str(g->plan, s->summary));
		json_kstr(&j, "status", str_of(graph_state(g, i)));
		if (g->survey)
			json_kstr(&j, "reason", g->survey->steps[g->steps[i]].reason);
		json_kstr(&j, "script", script_of(g, s));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_key(&j, "edges");
	json_open(&j, '[');
	for (size_t i = 0; i < g->nedges; i++) {
		json_open(&j, '[');
		json_int(&j, g->edges[i].from);
		json_int(&j, g->edges[i].to);
		json_close(&j, ']');
	}
	json_close(&j, ']');
	json_close(&j, '}');
}

void graph_html(const struct graph *g, struct buf *out)
{
	CLEANUP_BUF struct buf json = BUF_INIT(BUF_UNLIMITED);

	buf_z(out, head);
	graph_svg(g, out);
	buf_z(out, "</main><aside><p>Pick a step: what it needs and what needs it stays bright.</p></aside><script>\nconst plan=");
	data(g, &json);
	embed(out, buf_view(&json));
	buf_z(out, ";\n");
	buf_z(out, script);
	buf_z(out, "</script></body></html>\n");
}
