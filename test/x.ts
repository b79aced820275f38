import { readdirSync } from "node:fs";
import { cellTags } from "../formats/cell.js";
import { addressAggregate, MAX_TIMESTAMP, valueWindow, MAX_TRANSACTION, hasStop } from "../formats/time-window.js";
import { readerOf } from "../src/page/rows.js";
import { decodeRecords } from "../src/page/decode-records.js";
import { truncationOf } from "../src/page/cell-reader.js";
import { openDatabase } from "../src/tree/index.js";
import { ClassicTables } from "../src/tree/classic/tables.js";
import * as WALK from "../src/tree/walk.js";
type T = { os: bigint; nsd: bigint; ns: bigint; nsdd: bigint; txn: bigint; stxn: bigint; prep: boolean };
const max=(a:bigint,b:bigint)=>a>b?a:b, min=(a:bigint,b:bigint)=>a<b?a:b;
const empty=():T=>({os:MAX_TIMESTAMP,nsd:0n,ns:0n,nsdd:0n,txn:0n,stxn:0n,prep:false});
function add(t:T,o:T){t.os=min(t.os,o.os);t.nsd=max(t.nsd,o.nsd);t.ns=max(t.ns,o.ns);t.nsdd=max(t.nsdd,o.nsdd);t.txn=max(t.txn,o.txn);t.stxn=max(t.stxn,o.stxn);t.prep||=o.prep;}
const R="/work/main/corpus";
const homes=process.argv[2]==="palm"?readdirSync(`${R}/palm`).map(x=>`${R}/palm/${x}`):["classic-12.0","classic-3.2.1"].flatMap(r=>readdirSync(`${R}/${r}`).filter(x=>!x.endsWith(".txt")).map(x=>`${R}/${r}/${x}`));
const VAL=new Set([cellTags.valueShort,cellTags.value,cellTags.valueCopy,cellTags.valueOverflow,cellTags.valueOverflowRemoved]);
const ADDR=new Set([cellTags.addressDeleted,cellTags.addressInternal,cellTags.addressLeaf,cellTags.addressLeafNoOverflow]);
for(const home of homes){ const db=openDatabase(home);
  const cps=process.argv[2]==="palm"?db.checkpoints().map(c=>String(c.number)):[undefined];
  for(const cp of cps) for(const info of db.tables(cp)){
    const table=db.table(info.uri,cp); const src=(table as any).parts.source, root=(table as any).parts.root; if(!root) continue;
    const st={pages:0,windows:0,bad:{} as Record<string,number>,badTxn:{} as Record<string,number>,single:0};
    const walk=(cookie:Uint8Array,told:T|undefined,pw:bigint,depth:number)=>{
      let page; try{page=src.page(cookie);}catch(e){console.log((e as Error).message);return;}
      st.pages++; const t=empty(); let any=false; const kids:[Uint8Array,T][]=[];
      const wg=new DataView(page.parts.at(-1).image.buffer,page.parts.at(-1).image.byteOffset).getBigUint64(8,true);
      const {pageRows}=WALK;
      const isRow=page.type===6||page.type===7;
      if(page.type===2){ const rec=decodeRecords(page.parts[0].image,page.parts[0].layout)!; for(const w of rec.windows){any=true; const x=w as any; add(t,{os:x.startTs??x.window.startTs,nsd:(x.window??x).durableStartTs,ns:(x.window??x).stopTs,nsdd:(x.window??x).durableStopTs,txn:(x.window??x).startTxn,stxn:(x.window??x).stopTxn,prep:(x.window??x).prepare});} }
      else if(page.type===7){ const rows=pageRows(page.parts) as any[]; for(const r of rows){ const w=r.window??valueWindow(undefined); any=true; if(r.window)st.windows++; add(t,{os:w.startTs,nsd:w.durableStartTs,ns:w.stopTs,nsdd:w.durableStopTs,txn:w.startTxn,stxn:w.stopTxn,prep:w.prepare}); } }
      else if(page.type===6){ const rows=pageRows(page.parts) as any[]; for(const r of rows){ const p=page.parts[r.part]; const c=readerOf(p.image,p.layout); let off=r.offset; if(p.origin.isDelta&&p.image[off]<=8)off++; c.read(off);c.read(c.next); const a=addressAggregate(c.window()); if(r.data.length===0)continue; any=true; const x={os:a.oldestStartTs,nsd:a.newestStartDurableTs,ns:a.newestStopTs,nsdd:a.newestStopDurableTs,txn:a.newestTxn,stxn:a.newestStopTxn,prep:a.prepare}; add(t,x); kids.push([r.data,x]); } }
      else { const p=page.parts[0]; const c=readerOf(p.image,p.layout); for(let at=p.layout.payload;at<c.end&&c.read(at);at=c.next){ if(page.type===4&&VAL.has(c.tag)){any=true; if(c.windowAt!==-1)st.windows++; const w=valueWindow(c.window()); add(t,{os:w.startTs,nsd:w.durableStartTs,ns:w.stopTs,nsdd:w.durableStopTs,txn:w.startTxn,stxn:w.stopTxn,prep:w.prepare});} if(page.type===3&&ADDR.has(c.tag)){any=true;const a=addressAggregate(c.window());const x={os:a.oldestStartTs,nsd:a.newestStartDurableTs,ns:a.newestStopTs,nsdd:a.newestStopDurableTs,txn:a.newestTxn,stxn:a.newestStopTxn,prep:a.prepare}; add(t,x); kids.push([p.image.slice(c.dataStart,c.next),x]);} } }
      if(told&&any){ const chk=(k:string,ok:boolean,v:any)=>{if(!ok){const m=/txn/.test(k)?st.badTxn:st.bad; const kk=`${k}/t${page.type}/parts${page.parts.length>1?"n":1}`; m[kk]=(m[kk]??0)+1; if(m[kk]===1) console.log("   ex",info.uri,cp,kk,v,"wg",wg,"parent wg",pw);}};
        chk("os",told.os<=t.os,[told.os,t.os]);chk("nsd",told.nsd>=t.nsd,[told.nsd,t.nsd]);chk("ns",told.ns>=t.ns,[told.ns,t.ns]);chk("nsdd",told.nsdd>=t.nsdd,[told.nsdd,t.nsdd]);chk("txn",told.txn>=t.txn,[told.txn,t.txn]);chk("stxn",told.stxn>=t.stxn,[told.stxn,t.stxn]);chk("prep",told.prep||!t.prep,0);}
      for(const [c,x] of kids) walk(c,x,wg,depth+1);
    };
    walk(root,undefined,0n,0);
    if(st.pages>1||st.windows) console.log(home.replace(R,""),cp??"",info.uri,JSON.stringify(st));
  } db.close(); }
