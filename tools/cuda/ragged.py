"""Random ragged trees: shared against sharing off, same kernel."""
import random, sys, math, torch
from bench import Bench, geomean
from planner import Costs, Sequence
class A: pool=6
bench=Bench(A)
rng=random.Random(3); rs=[]; rm=[]
for t in range(24):
    c=64; n=[0]; out=[]
    def take(k):
        n[0]+=k; return list(range(n[0]-k,n[0]))
    def grow(path,depth):
        path=path+take(rng.randrange(0,rng.choice([2,8,30])))
        for _ in range(rng.randrange(1,5)):
            if depth>0 and rng.random()<.6: grow(path,depth-1)
            else:
                tail=rng.randrange(1,rng.choice([80,400,1500]))
                out.append(Sequence(path+take(-(-tail//c)),len(path)*c+tail-1))
    for _ in range(rng.randrange(1,4)): grow([],rng.randrange(1,4))
    if len(out)>200: continue
    for hq,hkv in ((32,8),(32,32)):
        on,b,_=bench.time(sys.argv[1],hq,hkv,128,64,out,True)
        more,_,_=bench.time(sys.argv[1],hq,hkv,128,64,out,True,Costs(reread=0.5,wait=160))
        off,_,_=bench.time(sys.argv[1],hq,hkv,128,64,out,False)
        rs.append(on/off)
        print(t,hq,hkv,"sequences",len(out),"MB",round(b/1e6,1),f"on {on:.1f} off {off:.1f} ratio {on/off:.2f} stricter {more/off:.2f}"); rm.append(more/off)
print("worst",max(rs),"geomean",geomean(rs),"stricter",max(rm),geomean(rm))
